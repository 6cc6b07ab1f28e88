/** stream-row — one line of the stream: a use, or an alert. */
import { memo } from 'react';
import { isZero } from './decimal.ts';
import { describeAlert, describeUse } from './describe-usage.ts';
import { formatChange, formatTime } from './format.ts';
import { BellIcon } from './icons.tsx';
import type { AlertRow, StreamRow, UseRow } from './stream.ts';

type RowProps<Row> = { readonly row: Row; readonly nameOf: (referenceId: string) => string };

/** A row never changes: fifty of them are not drawn again for one that is new. */
export const StreamRowView = memo(function StreamRowView({ row, nameOf }: RowProps<StreamRow>) {
  return row.kind === 'use' ? <Use row={row} nameOf={nameOf} /> : <Raised row={row} nameOf={nameOf} />;
});

function Use({ row: { usage, at, change }, nameOf }: RowProps<UseRow>) {
  const { used, ofLimit, filled, tone } = describeUse(usage, Date.now());
  return (
    <li className="row" data-kind="use" data-tone={tone}>
      <time dateTime={at}>{formatTime(at, Date.now())}</time>
      <span className="row-who">
        <strong>{nameOf(usage.referenceId)}</strong> <span>{usage.feature.displayName}</span>
      </span>
      <span className="row-change">{change !== null && !isZero(change) && formatChange(change)}</span>
      <span className="row-bar" aria-hidden="true">
        <i style={filled === null ? undefined : { inlineSize: `${filled * 100}%` }} data-endless={filled === null} />
      </span>
      <span className="row-used">
        <b>{used}</b> {ofLimit}
      </span>
    </li>
  );
}

function Raised({ row, nameOf }: RowProps<AlertRow>) {
  const { text, tone } = describeAlert(row, Date.now());
  const { alert, usage, at } = row;
  return (
    <li className="row" data-kind="alert" data-tone={tone}>
      <time dateTime={at}>{formatTime(at, Date.now())}</time>
      <span className="row-who">
        <strong>{nameOf(alert.referenceId)}</strong> <span>{usage?.feature.displayName ?? alert.featureKey}</span>
      </span>
      <span className="row-alert">
        <BellIcon />
        <span>
          <span className="unseen">Alert: </span>
          {text}
        </span>
      </span>
    </li>
  );
}
