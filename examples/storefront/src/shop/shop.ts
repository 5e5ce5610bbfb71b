/**
 * The client of the shop: Apollo over HTTP for queries and mutations, and over one WebSocket for
 * subscriptions. Cookies carry session, guest and consistency token on both.
 */
import { ApolloClient, ApolloLink, HttpLink } from "@apollo/client";
import { RetryLink } from "@apollo/client/link/retry";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createCache } from "./cache";
import { createSockets, type Sockets } from "./sockets";

export interface Shop {
  readonly apollo: ApolloClient;
  readonly sockets: Sockets;
  /**
   * To be called after everything that changes who the browser is to the shop: sign-in, sign-out,
   * and the first write of a guest. Reads again what belongs to the caller, in all tabs.
   */
  identityChanged(): Promise<void>;
}

export function createShop(url: string): Shop {
  const sockets = createSockets(url);
  const apollo = new ApolloClient({
    cache: createCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      retryEndedSessions().concat(new GraphQLWsLink(sockets.client)),
      retryUnanswered().concat(new HttpLink({ uri: url, credentials: "include" })),
    ),
  });
  const tabs = new BroadcastChannel("souk-identity");

  async function readAgain(): Promise<void> {
    // Failures are shown where the queries are used.
    await apollo.refetchQueries({ include: ["Viewer", "Cart"] }).catch(() => {});
    apollo.cache.gc();
  }
  function becomeAnother(): Promise<void> {
    sockets.renew();
    return readAgain();
  }
  tabs.addEventListener("message", () => void becomeAnother());
  sockets.onSessionEnd(() => void readAgain());
  // A session that ended before its socket was open closes no socket. So what belongs to the
  // caller is read again after that.
  sockets.onOpen(() => void readAgain());

  return {
    apollo,
    sockets,
    identityChanged() {
      tabs.postMessage(null);
      return becomeAnother();
    },
  };
}

/**
 * A revoked session closes its socket with 4401, which graphql-ws takes as final. The browser is a
 * guest from then on, and may watch what guests may.
 */
const retryEndedSessions = (): RetryLink =>
  new RetryLink({
    attempts: { max: Number.POSITIVE_INFINITY, retryIf: ({ message }) => / 4401\b/.test(message) },
    delay: { initial: 100, max: 10_000 },
  });

/**
 * A request without an answer may have run. Queries are asked again, and mutations that an
 * operation id makes safe to repeat.
 */
const retryUnanswered = (): RetryLink =>
  new RetryLink({
    attempts: {
      max: 3,
      retryIf: (error, { operationType, variables }) =>
        error instanceof TypeError &&
        (operationType === OperationTypeNode.QUERY || "operationId" in variables),
    },
    delay: { initial: 200, max: 2_000 },
  });
