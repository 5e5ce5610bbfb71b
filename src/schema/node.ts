/** Everything that can be fetched again by its id. */
import { Field, ID, InterfaceType } from "type-graphql";
import { Shared } from "./scope.js";

/** The Relay interface; build-schema.ts says which type an object is. */
@InterfaceType({ description: "Something with a global id: `node(id)` fetches it again, whatever its type." })
export abstract class Node {
  @Field(() => ID, {
    description:
      "Opaque global id, unique over all types and stable for as long as the thing exists. Do not parse it; compare it byte by byte.",
  })
  @Shared("PUBLIC")
  id!: string;
}
