/** more-grants — a decision draws from more grants than were read for it: read more, and decide again. */
export class MoreGrantsNeeded extends Error {
  override readonly name = 'MoreGrantsNeeded';
}
