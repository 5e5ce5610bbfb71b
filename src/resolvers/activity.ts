/** Activity of users, for admins. */
import { Args, Ctx, Query, Resolver } from "type-graphql";
import { MAX_ACTIVITY_DAYS } from "../domain/activity.js";
import { ActivityArgs, ActivityReport } from "../schema/activity.js";
import { SizesLists, Works } from "../schema/price.js";
import type { ActivityService } from "../services/activity.js";
import type { RequestContext } from "./context.js";

/** `Query.activity`. */
@Resolver()
export class ActivityResolver {
  constructor(private readonly service: Pick<ActivityService, "report">) {}

  @SizesLists({ days: { by: "days", most: MAX_ACTIVITY_DAYS } })
  @Works({ by: "days", price: 5, most: MAX_ACTIVITY_DAYS })
  @Query(() => ActivityReport, {
    description:
      "How many users were active by day, week and month, and how many came back. ADMIN " +
      "only, otherwise UNAUTHENTICATED or FORBIDDEN. SERVICE_UNAVAILABLE while Redis is away.",
  })
  activity(
    @Args(() => ActivityArgs) { days }: ActivityArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<ActivityReport> {
    return this.service.report(ctx.principal, days ?? 30);
  }
}
