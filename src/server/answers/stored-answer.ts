/** An answer that is stored: its bytes, and their codings. */
import { createHash } from "node:crypto";
import type { AnswerTags } from "../../domain/reading/answer-tags.js";

/** The cost of its execution: the answer is known. */
export interface StoredCost {
  readonly requested: number;
  readonly actual: number;
}

/** A content coding that answers are stored in. */
export type Coding = "br" | "gzip";

/** Bytes, or a text of one character a byte. */
export type AnswerBytes = Buffer | string;

/** Larger ones are written as bytes, which copies them less. */
export const TEXT_BYTES = 16 * 1024;
/** What an answer costs beyond its bytes. */
const ANSWER_BYTES = 512;
/** What a tag costs in the mirror; few are shared. */
const TAG_BYTES = 256;

/** One answer. Its bytes are equal for all who may have it. */
export class StoredAnswer {
  /**
   * The data as one character a byte, of a small answer: Node
   * writes it together with its head.
   */
  readonly text: string | null;
  /** How often it was asked for in a coding. */
  codedAsks = 0;
  private hash: string | null = null;

  /** @param data `{"data":…`, without the closing brace */
  constructor(
    readonly data: Buffer,
    readonly tags: AnswerTags,
    readonly cost: StoredCost,
    private readonly codings: ReadonlyMap<Coding, Buffer | null> = new Map(),
  ) {
    this.text = data.length <= TEXT_BYTES ? data.toString("latin1") : null;
  }

  /** The whole answer without extensions. */
  get whole(): Buffer {
    return this.bytesEndedBy(CLOSING_BRACE);
  }

  /** The data with what follows it: plain ASCII. */
  endedBy(rest: string): AnswerBytes {
    return this.text === null ? this.bytesEndedBy(rest) : this.text + rest;
  }

  bytesEndedBy(rest: string): Buffer {
    const bytes = Buffer.allocUnsafe(this.data.length + rest.length);
    this.data.copy(bytes);
    bytes.write(rest, this.data.length, "latin1");
    return bytes;
  }

  /** Names the bytes of {@link whole}. */
  get etag(): string {
    this.hash ??= etagOf(this.data, CLOSING_BRACE);
    return this.hash;
  }

  /** Undefined before it was made; null where it is not kept. */
  coded(coding: Coding): Buffer | null | undefined {
    return this.codings.get(coding);
  }

  /** The same answer, in one more coding; null: not to be made again. */
  withCoding(coding: Coding, bytes: Buffer | null): StoredAnswer {
    const answer = new StoredAnswer(
      this.data,
      this.tags,
      this.cost,
      new Map([...this.codings, [coding, bytes]]),
    );
    answer.hash = this.hash;
    answer.codedAsks = this.codedAsks;
    return answer;
  }

  /** What it takes in the store, in bytes, with its key. */
  sizeUnder(key: string): number {
    let bytes = this.data.length + (this.text?.length ?? 0) + 2 * key.length;
    for (const coded of this.codings.values()) bytes += coded?.length ?? 0;
    return bytes + ANSWER_BYTES + this.tags.count * TAG_BYTES;
  }
}

const CLOSING_BRACE = "}";
/** 128 bits: no two answers share them by chance. */
const ETAG_CHARACTERS = 22;

/** The hash of an answer's bytes, for its entity tag. */
export function etagOf(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("base64url").slice(0, ETAG_CHARACTERS);
}
