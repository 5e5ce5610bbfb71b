/**
 * A typed client of an app under test: operations of ./operations/*.graphql, over HTTP and
 * WebSocket.
 */
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { createConsistentFetch } from "../../examples/client/consistency.js";

/** A GraphQL error as clients see it. */
export interface ShopError {
  readonly message: string;
  readonly extensions: {
    readonly code: string;
    readonly argument?: readonly string[];
    readonly requestId: string;
  };
}

/** An answer; both may be there. */
export interface ShopAnswer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly ShopError[];
}

/** One client, who remembers what it has written. */
export interface Shop {
  /** Answers whatever the server says. */
  ask<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<ShopAnswer<Data>>;
  /** The data of an answer without errors; rejects with the errors otherwise. */
  read<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<Data>;
  /** The one error of an answer: its code and the argument to blame; rejects when there is none. */
  refusal<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): Promise<{ code: string; argument: string | undefined }>;
  /** Subscribes over a WebSocket of its own, which closes with the iterator. */
  watch<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
  ): AsyncIterableIterator<ShopAnswer<Data>>;
}

/** Makes a client of an app; with a token it may do what its holder may. */
export function createShop({
  url,
  token,
}: {
  readonly url: string;
  readonly token?: string;
}): Shop {
  const send = createConsistentFetch();
  const authorization = token ? { authorization: `Bearer ${token}` } : {};
  const ask: Shop["ask"] = async (document, variables) => {
    const headers = { "content-type": "application/json", ...authorization };
    const response = await send(url, {
      method: "POST",
      headers,
      body: JSON.stringify({ query: print(document), variables }),
    });
    return (await response.json()) as ShopAnswer<never>;
  };
  return {
    ask,
    async read(document, variables) {
      const { data, errors } = await ask(document, variables);
      if (errors || !data) throw new Error(`no clean answer: ${JSON.stringify(errors)}`);
      return data;
    },
    async refusal(document, variables) {
      const { errors = [] } = await ask(document, variables);
      if (!errors[0]) throw new Error("the operation was not refused");
      return {
        code: errors[0].extensions.code,
        argument: errors[0].extensions.argument?.join("."),
      };
    },
    watch(document, variables) {
      const client = createClient({
        url: url.replace(/^http/, "ws"),
        webSocketImpl: WebSocket,
        connectionParams: authorization,
        retryAttempts: 0,
      });
      return client.iterate({
        query: print(document),
        variables,
      }) as unknown as AsyncIterableIterator<ShopAnswer<never>>;
    },
  };
}
