/** A request to `/graphql`, and the answer that is made to it. */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { parseCookie } from "cookie";
import { own } from "../../domain/own.js";
import { type Refusal, refusalBody, typeOfAnswer } from "./errors.js";

/** Names and values in turn, as Node writes them. */
export type HeaderPairs = readonly string[];

const NOT_MODIFIED = 304;
const NO_MORE: HeaderPairs = [];

export class HttpExchange {
  readonly id = randomUUID();
  /** The whole body; null before it is read, or without one. */
  body: Buffer | null = null;
  private readonly added = new Map<string, string | readonly string[]>();
  private cookies: Readonly<Record<string, string | undefined>> | null = null;

  /** @param common headers of every answer to this client */
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    private readonly common: HeaderPairs,
    private readonly isDraining: () => boolean,
  ) {}

  get method(): string {
    return this.request.method ?? "";
  }

  get url(): string {
    return this.request.url ?? "";
  }

  get headers(): IncomingHttpHeaders {
    return this.request.headers;
  }

  /** A cookie of the request. */
  cookie(name: string): string | undefined {
    const { cookie } = this.headers;
    if (cookie === undefined) return undefined;
    this.cookies ??= parseCookie(cookie);
    return own(this.cookies, name);
  }

  /** Sets a header of the answer, by lower-case name. */
  header(name: string, value: string): this {
    this.added.set(name, value);
    return this;
  }

  addHeaders(headers: Iterable<readonly [name: string, value: string]>): this {
    for (const [name, value] of headers) this.added.set(name, value);
    return this;
  }

  /** Adds one cookie to the answer. */
  addCookie(text: string): void {
    this.added.set("set-cookie", [...(this.added.get("set-cookie") ?? []), text]);
  }

  /**
   * Sends the answer with the headers added, and more; only the
   * first. Text in latin1 is one character a byte.
   */
  send(
    status: number,
    body: string | Buffer,
    encoding: "utf8" | "latin1" = "utf8",
    more: HeaderPairs = NO_MORE,
  ): void {
    const { response } = this;
    if (response.headersSent) return;
    if (this.isDraining()) this.header("connection", "close");
    const head = [...this.common, "x-request-id", this.id, ...more];
    for (const [name, value] of this.added)
      for (const one of typeof value === "string" ? [value] : value) head.push(name, one);
    const bytes = typeof body === "string" ? Buffer.byteLength(body, encoding) : body.length;
    if (status !== NOT_MODIFIED) head.push("content-length", String(bytes));
    response.writeHead(status, head);
    response.end(body, encoding);
  }

  /** Sends the JSON of an error. */
  refuse(refusal: Refusal): void {
    this.header("content-type", typeOfAnswer(this.headers.accept));
    this.send(refusal.status, refusalBody(refusal, this.id));
  }
}
