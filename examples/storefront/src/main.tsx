/** Puts the storefront into the page. */
import { ApolloProvider } from "@apollo/client/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { API } from "./shop/address";
import { createShop } from "./shop/shop";
import { ShopContext } from "./shop/use-shop";
import "./style.css";

const shop = createShop(API);
const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <ShopContext value={shop}>
      <ApolloProvider client={shop.apollo}>
        <App />
      </ApolloProvider>
    </ShopContext>
  </StrictMode>,
);
