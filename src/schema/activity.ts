/** Active and returning users. */
import { ArgsType, Field, Int, ObjectType } from "type-graphql";
import { ACTIVE_SPANS, MAX_ACTIVITY_DAYS } from "../domain/activity.js";
import { between } from "../domain/argument-rules.js";
import { Checked } from "./argument-rule.js";
import { ListSize } from "./price.js";

/** Mondays in the longest report. */
const MAX_WEEKS = Math.ceil(MAX_ACTIVITY_DAYS / ACTIVE_SPANS.week);

@ObjectType({
  description: "How many users were active up to and including one day.",
  simpleResolvers: true,
})
export class DailyActivity {
  @Field(() => String, { description: "The day in UTC, as `2026-11-03`." })
  day!: string;

  @Field(() => Int, { description: "Users who were active on the day." })
  daily!: number;

  @Field(() => Int, {
    description: `Users who were active on any of the ${ACTIVE_SPANS.week} days up to it.`,
  })
  weekly!: number;

  @Field(() => Int, {
    description: `Users who were active on any of the ${ACTIVE_SPANS.month} days up to it.`,
  })
  monthly!: number;
}

@ObjectType({
  description: "The users of one week, and how many of them came back.",
  simpleResolvers: true,
})
export class WeeklyRetention {
  @Field(() => String, { description: "The Monday that begins the week, in UTC, as `2026-11-02`." })
  week!: string;

  @Field(() => Int, { description: "Users who were active in the week." })
  users!: number;

  @ListSize({ most: MAX_WEEKS })
  @Field(() => [Int], {
    description:
      "Of those, how many were active in the next week, in the one after it, and so on up to " +
      "the present one.",
  })
  returned!: readonly number[];
}

/** Answer of `Query.activity`. */
@ObjectType({
  description:
    "How many users are active, and how many come back. Active on a day is who signed in on " +
    "it, or sent anything with a session.",
  simpleResolvers: true,
})
export class ActivityReport {
  @Field(() => [DailyActivity], { description: "The days, the oldest first and today last." })
  days!: readonly DailyActivity[];

  @ListSize({ most: MAX_WEEKS })
  @Field(() => [WeeklyRetention], {
    description: "The weeks that begin within these days, the oldest first.",
  })
  retention!: readonly WeeklyRetention[];
}

/** Arguments of `Query.activity`. */
@ArgsType()
export class ActivityArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: 30,
    description:
      `How many days, today included: 1 to ${MAX_ACTIVITY_DAYS}, otherwise BAD_USER_INPUT. ` +
      "Null means 30.",
  })
  @Checked(between(1, MAX_ACTIVITY_DAYS))
  days!: number | null;
}
