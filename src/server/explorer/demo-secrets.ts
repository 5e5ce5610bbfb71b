/**
 * The secrets that `npm start` made for its own database. Pages
 * show them to a browser on this machine alone.
 */
import type { IncomingMessage } from "node:http";
import { isLoopbackName, normalAddress } from "../../domain/address.js";
import { own } from "../../domain/own.js";

export interface DemoSecrets {
  /** Undefined where the operator has set one. */
  readonly adminToken?: string | undefined;
  readonly logins?: { readonly emails: readonly string[]; readonly password: string } | undefined;
}

const NO_SECRETS: DemoSecrets = {};
const LOOPBACK_ADDRESS = /^(?:127\.\d+\.\d+\.\d+|::1)$/;
/** A proxy on this machine may serve browsers of others. */
const FORWARDED = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/**
 * The secrets, where the page is opened on this machine. A
 * browser sends Origin for pages that read ours by script: they
 * get none. A host that is not loopback may be a foreign name
 * that leads here.
 */
export function secretsFor(
  { socket, headers }: Pick<IncomingMessage, "socket" | "headers">,
  secrets: DemoSecrets,
): DemoSecrets {
  const isOwn =
    LOOPBACK_ADDRESS.test(normalAddress(socket.remoteAddress ?? "")) &&
    isLoopbackName(hostnameOf(headers.host)) &&
    headers.origin === undefined &&
    FORWARDED.every((name) => own(headers, name) === undefined);
  return isOwn ? secrets : NO_SECRETS;
}

/** As browsers spell it; "" for none. */
const hostnameOf = (host: string | undefined): string =>
  host && URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : "";
