/** The frame of every page: account and connection above, cart and board beside. */
import { useEffect, useRef } from "react";
import { AccountMenu } from "./account/account-menu";
import { SignInPage } from "./account/sign-in-page";
import { SignUpPage } from "./account/sign-up-page";
import { BoardPanel } from "./board/board-panel";
import { CartPanel } from "./cart/cart-panel";
import { NotificationsPage } from "./notifications/notifications-page";
import { ProductPage } from "./product/product-page";
import { SearchPage } from "./product/search-page";
import { paths, type Route, useRoute } from "./shop/route";
import { useConnection } from "./shop/use-shop";
import { Page } from "./ui/page";

export function App() {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const page = route.path.join("/");
  const shown = useRef(page);
  useEffect(() => {
    // The focus follows a link, so that a screen reader reads the new page.
    if (shown.current !== page) main.current?.focus();
    shown.current = page;
  }, [page]);
  return (
    <>
      <header>
        <a className="name" href={paths.home}>
          Souk
        </a>
        <nav aria-label="Account" className="row">
          <AccountMenu />
        </nav>
      </header>
      <ConnectionNote />
      <div className="columns">
        <main ref={main} tabIndex={-1}>
          <CurrentPage route={route} />
        </main>
        <aside aria-label="Cart and board">
          <CartPanel />
          <BoardPanel />
        </aside>
      </div>
    </>
  );
}

function CurrentPage({ route: { path, search } }: { route: Route }) {
  const [name = "", id = ""] = path;
  switch (name) {
    case "":
      return <SearchPage text={search.get("text") ?? ""} />;
    case "product":
      return <ProductPage key={id} id={id} />;
    case "notifications":
      return <NotificationsPage />;
    case "sign-in":
      return <SignInPage />;
    case "sign-up":
      return <SignUpPage />;
    default:
      return (
        <Page title="No such page">
          <a href={paths.home}>All products</a>
        </Page>
      );
  }
}

function ConnectionNote() {
  const isLost = useConnection() === "lost";
  return (
    <p className={isLost ? "notice" : "hidden"} role="status">
      {isLost && "Live values are paused until the shop can be reached again."}
    </p>
  );
}
