/** key-form — asks for an API key where the gateway gives none along. */
import { type FormEvent, useId, useRef } from 'react';
import './styles/key-form.css';

type KeyFormProps = {
  readonly isChecking: boolean;
  /** Why the last key was refused. */
  readonly refusal: string | null;
  readonly onKey: (key: string) => void;
};

export function KeyForm({ isChecking, refusal, onKey }: KeyFormProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const key = input.current?.value.trim();
    if (key) onKey(key);
    else input.current?.focus();
  };

  return (
    <main className="key-form">
      {/* POST: should the script ever fail, the key is still not in an address. */}
      <form method="post" onSubmit={submit} aria-busy={isChecking}>
        <h2>Which tenant?</h2>
        <p id={`${id}-hint`}>
          An API key says whose meters to show. It needs the scopes <code>ingest</code> and <code>read</code>, or{' '}
          <code>admin</code>. It is kept for this tab alone and never part of an address.
        </p>
        <label htmlFor={`${id}-key`}>API key</label>
        <div className="key-field">
          <input
            ref={input}
            id={`${id}-key`}
            type="password"
            autoComplete="off"
            spellCheck={false}
            placeholder="mg_live_…"
            aria-invalid={refusal !== null}
            aria-describedby={`${id}-hint${refusal === null ? '' : ` ${id}-refusal`}`}
          />
          <button type="submit" className="button primary">
            {isChecking ? 'Checking…' : 'Show the meters'}
          </button>
        </div>
        {refusal !== null && (
          <p className="refusal" id={`${id}-refusal`} role="alert">
            <strong>This key was refused.</strong> {refusal}
          </p>
        )}
      </form>
      <p className="key-origin">
        The first start of a gateway prints its first key, once. Another one is made by the mutation{' '}
        <code>createApiKey</code>.
      </p>
    </main>
  );
}
