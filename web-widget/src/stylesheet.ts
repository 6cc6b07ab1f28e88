/**
 * stylesheet — gives a shadow root the meter's styles.
 *
 * One constructed sheet is shared by all meters of a page; a strict `style-src` policy allows it, unlike `<style>`,
 * which is only the fallback for engines without constructed sheets.
 */
import css from './meter.css?inline';

let shared: CSSStyleSheet | undefined;

export function adoptStyles(root: ShadowRoot): void {
  if (!('adoptedStyleSheets' in root) || !('replaceSync' in CSSStyleSheet.prototype)) {
    const style = document.createElement('style');
    style.textContent = css;
    root.append(style);
    return;
  }
  if (!shared) {
    shared = new CSSStyleSheet();
    shared.replaceSync(css);
  }
  root.adoptedStyleSheets = [shared];
}
