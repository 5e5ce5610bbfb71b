/**
 * Every resolver class, and the instances that serve a schema: built here once, with the services
 * they need.
 */
import type { ContainerType, NonEmptyArray } from "type-graphql";
import type { CurrencyCode } from "../domain/catalogue/money.js";
import type { Clock } from "../domain/time/clock.js";
import type { ResolverClass } from "../schema/build-schema.js";
import type { Accounts } from "../services/account/accounts.js";
import type { Revocations } from "../services/account/revocations.js";
import type { Sessions } from "../services/account/sessions.js";
import type { ActivityService } from "../services/activity.js";
import type { Carts } from "../services/cart/carts.js";
import type { Products } from "../services/catalogue/products.js";
import type { Reviews } from "../services/catalogue/reviews.js";
import type { Counters } from "../services/counters/counters.js";
import type { Likes } from "../services/counters/likes.js";
import type { Leaderboards } from "../services/leaderboard/leaderboards.js";
import type { Scores } from "../services/leaderboard/submission.js";
import type { Notifications } from "../services/notification/notifications.js";
import type { NotificationSending } from "../services/notification/sending.js";
import { AccountMutations } from "./account.js";
import { ActivityResolver } from "./activity.js";
import { BrandConnectionResolver, BrandResolver } from "./brand.js";
import { CartPayloadResolver, CartResolver } from "./cart.js";
import { CartMutations } from "./cart-change.js";
import { CartSubscriptions } from "./cart-changed.js";
import { CategoryResolver } from "./category.js";
import { LeaderboardMutations } from "./leaderboard/change.js";
import { LeaderboardSubscriptions } from "./leaderboard/changed.js";
import { LeaderboardConnectionResolver, LeaderboardResolver } from "./leaderboard/leaderboard.js";
import { LeaderboardOwnerResolver } from "./leaderboard/owner.js";
import { NodeResolver } from "./node.js";
import { InboxResolver, NotificationConnectionResolver } from "./notification.js";
import { NotificationMutations } from "./notification-change.js";
import { NotificationSubscriptions } from "./notification-received.js";
import { ProductMutations } from "./product/change.js";
import { ProductSubscriptions } from "./product/changed.js";
import { ProductConnectionResolver, ProductResolver } from "./product/product.js";
import {
  ProductStatsMutations,
  ProductStatsResolver,
  ProductStatsSubscriptions,
} from "./product/stats.js";
import { RateLimitResolver } from "./rate-limit.js";
import { ReviewConnectionResolver, ReviewResolver } from "./review.js";
import { ReviewMutations } from "./review-change.js";
import { RevocationMutations } from "./revocation.js";
import { ViewerResolver } from "./viewer.js";

/** What the schema is built from. */
export const resolverClasses: NonEmptyArray<ResolverClass> = [
  NodeResolver,
  ProductResolver,
  ProductConnectionResolver,
  ProductMutations,
  ProductSubscriptions,
  ActivityResolver,
  ProductStatsResolver,
  ProductStatsMutations,
  ProductStatsSubscriptions,
  CategoryResolver,
  BrandResolver,
  BrandConnectionResolver,
  RateLimitResolver,
  ReviewResolver,
  ReviewConnectionResolver,
  ReviewMutations,
  ViewerResolver,
  AccountMutations,
  RevocationMutations,
  CartResolver,
  CartPayloadResolver,
  CartMutations,
  CartSubscriptions,
  LeaderboardResolver,
  LeaderboardConnectionResolver,
  LeaderboardOwnerResolver,
  LeaderboardMutations,
  LeaderboardSubscriptions,
  InboxResolver,
  NotificationConnectionResolver,
  NotificationMutations,
  NotificationSubscriptions,
];

/** What resolvers decide nothing without. */
export interface ResolverServices {
  readonly products: Products;
  readonly reviews: Reviews;
  readonly counters: Counters;
  readonly activity: ActivityService;
  readonly likes: Likes;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly revocations: Revocations;
  readonly carts: Carts;
  readonly leaderboards: Leaderboards;
  readonly scores: Scores;
  readonly notifications: Notifications;
  readonly sending: NotificationSending;
  readonly clock: Clock;
  /** The currency of every price. */
  readonly currency: CurrencyCode;
}

/** Builds the instance of every class in {@link resolverClasses}. */
export function createContainer({
  currency,
  clock,
  leaderboards,
  ...services
}: ResolverServices): ContainerType {
  const { products, reviews, counters, activity, likes, accounts, sessions, revocations, carts } =
    services;
  const { scores, notifications, sending } = services;
  const nodes = new NodeResolver(currency, leaderboards);
  const instances = [
    nodes,
    new ProductResolver(currency),
    new ProductConnectionResolver(currency),
    new ProductMutations(products, currency),
    new ProductSubscriptions(currency),
    new ActivityResolver(activity),
    new ProductStatsResolver(clock),
    new ProductStatsMutations(counters, likes, currency),
    new ProductStatsSubscriptions(),
    new CategoryResolver(),
    new BrandResolver(),
    new BrandConnectionResolver(),
    new RateLimitResolver(clock),
    new ReviewResolver(currency),
    new ReviewConnectionResolver(),
    new ReviewMutations(reviews),
    new ViewerResolver(sessions),
    new AccountMutations(accounts, revocations, carts),
    new RevocationMutations(revocations),
    new CartResolver(carts, currency),
    new CartPayloadResolver(),
    new CartMutations(carts),
    new CartSubscriptions(carts),
    new LeaderboardResolver(leaderboards),
    new LeaderboardConnectionResolver(leaderboards),
    new LeaderboardOwnerResolver(nodes),
    new LeaderboardMutations(leaderboards, scores),
    new LeaderboardSubscriptions(leaderboards),
    new InboxResolver(notifications),
    new NotificationConnectionResolver(notifications),
    new NotificationMutations(notifications, sending),
    new NotificationSubscriptions(),
  ];
  const byClass = new Map<ResolverClass, object>(
    instances.map((instance) => [instance.constructor, instance]),
  );
  return { get: (resolverClass: ResolverClass) => byClass.get(resolverClass) };
}
