/** try-it — the two things to copy: a call that consumes, and the lines that embed a meter. */
import { CodeBlock } from './code-block.tsx';
import { consumeCurl, embedSnippet } from './snippets.ts';
import './styles/try-it.css';

type TryItProps = {
  readonly demoKey: string | null;
  readonly referenceId: string;
  readonly featureKey: string;
  readonly customerName: string | undefined;
};

export function TryIt({ demoKey, referenceId, featureKey, customerName }: TryItProps) {
  const { origin } = location;
  return (
    <section className="try-it" aria-labelledby="try-title">
      <h2 id="try-title" className="unseen">
        Try it
      </h2>
      <div>
        <h3>Consume from a terminal</h3>
        <p>
          {customerName
            ? `Send it and watch ${customerName}’s meter above.`
            : 'One mutation decides, counts and answers.'}
          {demoKey === null && ' Put your key into METERGRAPH_KEY first.'}
        </p>
        <CodeBlock title="curl" code={consumeCurl({ origin, demoKey, referenceId, featureKey })} />
      </div>
      <div>
        <h3>Embed the meter</h3>
        <p>One element on your page, one token from your server.</p>
        <CodeBlock title="HTML and server" code={embedSnippet(origin, featureKey)} />
      </div>
    </section>
  );
}
