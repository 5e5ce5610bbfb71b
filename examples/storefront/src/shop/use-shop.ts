/** The shop, for components. */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Shop } from "./shop";
import type { Connection } from "./sockets";

export const ShopContext = createContext<Shop | null>(null);

export function useShop(): Shop {
  const shop = useContext(ShopContext);
  if (!shop) throw new Error("no ShopContext above this component");
  return shop;
}

/** How the WebSocket is, live. */
export function useConnection(): Connection {
  const { sockets } = useShop();
  return useSyncExternalStore(sockets.onConnection, sockets.connection);
}
