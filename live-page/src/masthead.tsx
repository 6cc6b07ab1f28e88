/** masthead — what Metergraph is in one line, and the ways out of this page. */
import type { ReactNode } from 'react';
import './styles/masthead.css';

const LINKS = [
  { href: '/graphql', text: 'GraphiQL' },
  { href: '/metrics', text: 'Metrics' },
  { href: '/widget.js', text: 'Widget script' },
];

export function Masthead({ status, children }: { readonly status?: ReactNode; readonly children: ReactNode }) {
  return (
    <div className="page">
      <header className="masthead">
        <div className="masthead-bar">
          <span className="brand">
            <Mark />
            Metergraph
          </span>
          <nav aria-label="Gateway">
            {LINKS.map(({ href, text }) => (
              <a key={href} href={href}>
                {text}
              </a>
            ))}
          </nav>
          {status}
        </div>
        <h1>
          Metergraph counts what your customers use, decides in one exact call whether they may, and tells their screen{' '}
          <em>while it happens</em>.
        </h1>
      </header>
      {children}
    </div>
  );
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect className="mark-ground" width="32" height="32" rx="9" />
      <rect x="7" y="8" width="11" height="4" rx="2" />
      <rect x="7" y="14" width="18" height="4" rx="2" opacity=".55" />
      <rect x="7" y="20" width="15" height="4" rx="2" />
    </svg>
  );
}
