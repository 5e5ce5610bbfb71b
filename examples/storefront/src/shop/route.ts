/**
 * Routes in the fragment of the address: `#/product/…`. Links are plain anchors, and any server of
 * static files serves every page.
 */
import { useSyncExternalStore } from "react";

export interface Route {
  readonly path: readonly string[];
  readonly search: URLSearchParams;
}

export const paths = {
  home: "#/",
  search: (text: string) => `#/?${new URLSearchParams({ text })}`,
  product: (id: string) => `#/product/${encodeURIComponent(id)}`,
  notifications: "#/notifications",
  signIn: "#/sign-in",
  signUp: "#/sign-up",
};

export function goTo(hash: string): void {
  location.hash = hash;
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(onHash, () => location.hash);
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").map(decode), search: new URLSearchParams(search) };
}

function onHash(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

/** Anybody may write an address. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
