/** A page of the explorer, with its own content security policy. */
import type { FastifyReply } from "fastify";
import { sha256 } from "../../domain/hash.js";

export interface Page {
  readonly html: string;
  readonly policy: string;
}

export function sendPage(reply: FastifyReply, { html, policy }: Page): FastifyReply {
  // Replaces helmet's. The Sandbox frame needs this window to
  // answer.
  reply
    .header("content-security-policy", policy)
    .header("cross-origin-opener-policy", "unsafe-none");
  return reply.header("cache-control", "no-store").type("text/html; charset=utf-8").send(html);
}

/** @param directives in addition to, or in place of, the strict ones */
export function policyOf(directives: Readonly<Record<string, string>>): string {
  const all = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    ...directives,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}`)
    .join("; ");
}

/** Allows exactly this inline script. */
export const scriptHash = (script: string): string => `'sha256-${sha256(script, "base64")}'`;

/** A value for a script of the page; a block of data needs no hash. */
export const dataBlock = (id: string, value: unknown): string =>
  `<script type="application/json" id="${id}">${inScript(JSON.stringify(value))}</script>`;

/** A text that cannot end its script. */
export const inScript = (text: string): string => text.replaceAll("<", "\\u003c");
