/** icons — drawn, and silent: words stand beside each. */
import type { ReactNode } from 'react';

const Icon = ({ children }: { readonly children: ReactNode }) => (
  <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
    {children}
  </svg>
);

export const BellIcon = () => (
  <Icon>
    <path d="M3.5 11.5h9L11.4 10V7a3.4 3.4 0 0 0-6.8 0v3zM6.7 13.6a1.4 1.4 0 0 0 2.6 0" />
  </Icon>
);

export const AllowedIcon = () => (
  <Icon>
    <path d="m3.5 8.5 3 3 6-7" />
  </Icon>
);

export const DeniedIcon = () => (
  <Icon>
    <path d="m4.5 4.5 7 7m0-7-7 7" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <rect x="5.5" y="5.5" width="8" height="8" rx="2" />
    <path d="M10.5 3.2A2 2 0 0 0 9 2.5H4.5a2 2 0 0 0-2 2V9a2 2 0 0 0 .7 1.5" />
  </Icon>
);
