/** Messages of a WebSocket, before graphql-ws reads them. */
import { isRecord, withoutEmpty } from "../operation/document-request.js";

/**
 * A parsed message, or the text where it is no JSON. graphql-ws
 * needs a document in every payload; ours may name one instead.
 * Null and empty parameters are absent, as over HTTP.
 */
export function readMessage(text: string): unknown {
  const message = parseMessage(text);
  if (!isRecord(message) || message.type !== "subscribe" || !isRecord(message.payload))
    return message;
  return { ...message, payload: { query: "", ...withoutEmpty(message.payload) } };
}

function parseMessage(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
