/** Objects that can be fetched again by id. */
import { ArgsType, Field, ID, InterfaceType } from "type-graphql";
import { atMostItems } from "../domain/argument-rules.js";
import { PAGE_SIZE } from "../domain/page.js";
import { Checked } from "./argument-rule.js";
import { Shared } from "./scope.js";

/** The Relay interface; build-schema.ts resolves its types. */
@InterfaceType({
  description: "Something with a global id: `node(id)` fetches it again, whatever its type.",
})
export abstract class Node {
  @Field(() => ID, {
    description:
      "Opaque global id, unique over all types and stable for as long as the thing exists. " +
      "Do not parse it; compare it byte by byte.",
  })
  @Shared("PUBLIC", { cached: true })
  id!: string;
}

/** Arguments of `Query.nodes`. */
@ArgsType()
export class NodesArgs {
  @Field(() => [ID], {
    description:
      `Global ids of any types, at most ${PAGE_SIZE.max}, otherwise BAD_USER_INPUT; ` +
      "repetitions are allowed.",
  })
  @Checked(atMostItems(PAGE_SIZE.max))
  ids!: string[];
}
