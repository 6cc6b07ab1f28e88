/** code-block — lines to copy. */
import { useEffect, useRef, useState } from 'react';
import { CopyIcon } from './icons.tsx';

const SAID_FOR_MS = 2_500;

export function CodeBlock({ title, code }: { readonly title: string; readonly code: string }) {
  const lines = useRef<HTMLElement>(null);
  const [said, setSaid] = useState('');

  useEffect(() => {
    if (said === '') return;
    const timer = setTimeout(() => setSaid(''), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);

  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(code);
      setSaid('Copied');
    } catch {
      // Only a secure page may write to the clipboard; any page may select.
      if (lines.current) getSelection()?.selectAllChildren(lines.current);
      setSaid('Selected: press Ctrl or ⌘ and C');
    }
  };

  return (
    <figure className="code-block">
      <figcaption>
        {title}
        <span className="copied" role="status">
          {said}
        </span>
        <button type="button" className="button quiet small" onClick={() => void copy()}>
          <CopyIcon />
          Copy<span className="unseen"> {title}</span>
        </button>
      </figcaption>
      <pre>
        <code ref={lines}>{code}</code>
      </pre>
    </figure>
  );
}
