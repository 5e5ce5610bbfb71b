/**
 * The secrets that `npm start` made for its own database. Pages
 * show them to a browser on this machine alone.
 */
import type { IncomingMessage } from "node:http";
import { isLoopbackName, normalAddress } from "../../domain/address.js";

export interface DemoSecrets {
  /** Undefined where the operator has set one. */
  readonly adminToken?: string | undefined;
  readonly logins?: { readonly emails: readonly string[]; readonly password: string } | undefined;
}

const NO_SECRETS: DemoSecrets = {};
const LOOPBACK_ADDRESS = /^(?:127\.\d+\.\d+\.\d+|::1)$/;
/** A proxy on this machine may serve browsers of others. */
const FORWARDED = /^(?:forwarded|via|x-real-ip|x-forwarded-.*|cf-.*)$/;
/** The user opens the page, or one of ours leads to it. */
const OWN_NAVIGATION: ReadonlySet<unknown> = new Set(["none", "same-origin"]);

/**
 * The secrets, where a browser opens the page on this machine.
 * A browser sends Origin for pages that read ours by script:
 * they get none. A host that is not loopback may be a foreign
 * name that leads here. Simple proxies speak HTTP/1.0, or close
 * the connection.
 */
export function secretsFor(
  { socket, headers, httpVersion }: Pick<IncomingMessage, "socket" | "headers" | "httpVersion">,
  secrets: DemoSecrets,
): DemoSecrets {
  const isOwn =
    LOOPBACK_ADDRESS.test(normalAddress(socket.remoteAddress ?? "")) &&
    isLoopbackName(hostnameOf(headers.host)) &&
    headers.origin === undefined &&
    OWN_NAVIGATION.has(headers["sec-fetch-site"]) &&
    httpVersion === "1.1" &&
    headers.connection !== "close" &&
    !Object.keys(headers).some((name) => FORWARDED.test(name));
  return isOwn ? secrets : NO_SECRETS;
}

/** As browsers spell it; "" for none. */
const hostnameOf = (host: string | undefined): string =>
  host && URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : "";
