/** A stylesheet as minified text: the build tool resolves the suffix. */
declare module '*.css?inline' {
  const css: string;
  export default css;
}
