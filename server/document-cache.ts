/**
 * document-cache — parsed documents by their text, in two parts. What was parsed is *recent*, whoever sent it; what
 * somebody we know asks for again is *kept*. However many new documents come, they push each other out of the first part,
 * and what is in use stays in the second.
 */
import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

export type DocumentBounds = {
  /** Documents in each part. */
  readonly documentsMax: number;
  /** Characters of all documents of a part together. */
  readonly charactersMax: number;
  /** A longer document is parsed whenever it comes. */
  readonly documentCharactersMax: number;
};

/**
 * A parsed document takes up to 330 bytes a character (`{a a a …}`), and its plans up to 170 more; those that people write
 * take a quarter of it. So both parts together take 100 MB if somebody tries, and 25 if not.
 */
export const DOCUMENT_BOUNDS: DocumentBounds = {
  documentsMax: 500,
  charactersMax: 100_000,
  documentCharactersMax: 20_000,
};

export class DocumentCache {
  readonly #recent: LRUCache<string, DocumentNode>;
  readonly #kept: LRUCache<string, DocumentNode>;

  constructor(bounds: DocumentBounds = DOCUMENT_BOUNDS) {
    this.#recent = createPart(bounds);
    this.#kept = createPart(bounds);
  }

  get(text: string): DocumentNode | undefined {
    return this.#kept.get(text) ?? this.#recent.get(text);
  }

  get size(): number {
    return this.#recent.size + this.#kept.size;
  }

  set(text: string, document: DocumentNode): void {
    if (!this.#kept.has(text)) this.#recent.set(text, document);
  }

  /** Forgets a document, and with it all that is known of it. */
  delete(text: string): void {
    this.#recent.delete(text);
    this.#kept.delete(text);
  }

  /** Keeps a document that is asked for again. Without effect on one that is kept, or not known. */
  keep(text: string): void {
    if (this.#kept.has(text)) return;
    const document = this.#recent.get(text);
    if (!document) return;
    this.#recent.delete(text);
    this.#kept.set(text, document);
  }
}

const createPart = ({ documentsMax, charactersMax, documentCharactersMax }: DocumentBounds) =>
  new LRUCache<string, DocumentNode>({
    max: documentsMax,
    maxSize: charactersMax,
    maxEntrySize: documentCharactersMax,
    sizeCalculation: (_document, text) => text.length || 1,
  });
