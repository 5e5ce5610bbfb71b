/**
 * Sockets and subscriptions of each caller, on this process. Idle
 * ones take local memory, which other processes cannot count.
 */
import { addressHolder } from "../../domain/address.js";
import { RateLimited } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import type { Caller } from "../operation/caller.js";
import type { Connection } from "./connection.js";

export interface SocketLimits {
  readonly perUser: number;
  readonly perAddress: number;
  readonly subscriptionsPerUser: number;
  readonly subscriptionsPerAddress: number;
}

export interface SocketCounts {
  /**
   * Counts a socket of an address: its release, or null at the
   * limit.
   */
  countSocket(ip: string): (() => void) | null;
  /** Counts a user's socket until it closes; false at the limit. */
  countUserSocket(caller: Caller, connection: Connection): boolean;
  /** Counts a subscription: its release. Throws RateLimited. */
  countSubscription(caller: Caller): () => void;
}

export function createSocketCounts(limits: SocketLimits): SocketCounts {
  const [addresses, users, subscriptions] = [createCounts(), createCounts(), createCounts()];
  return {
    countSocket: (ip) => addresses.acquire(addressHolder(ip), limits.perAddress),
    countUserSocket({ principal }, { socket }) {
      if (principal.kind !== "user") return true;
      const leave = users.acquire(String(principal.userId), limits.perUser);
      // Idempotent; `once` would keep a wrapper for each socket.
      if (leave) socket.on("close", leave);
      return leave !== null;
    },
    countSubscription({ principal, client }) {
      const isUser = principal.kind === "user";
      const name = isUser
        ? `user ${principal.userId}`
        : principal.kind === "service"
          ? "service"
          : addressHolder(client.ip);
      const max = isUser ? limits.subscriptionsPerUser : limits.subscriptionsPerAddress;
      const end = subscriptions.acquire(name, max);
      if (!end)
        throw new RateLimited(`At max ${max} subscriptions at once.`, SECOND, {
          bucket: "subscriptions",
        });
      return end;
    },
  };
}

function createCounts() {
  const counts = new Map<string, number>();
  return {
    /** Counts one more: its release, or null at `max`. Idempotent. */
    acquire(name: string, max: number): (() => void) | null {
      const count = counts.get(name) ?? 0;
      if (count >= max) return null;
      counts.set(name, count + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        const left = (counts.get(name) ?? 1) - 1;
        if (left > 0) counts.set(name, left);
        else counts.delete(name);
      };
    },
  };
}
