/** User errors of a payload: each beside the field to blame, the others above the form. */
import { type FragmentType, graphql, readFragment } from "../generated";

export const USER_ERROR = graphql(`
  fragment UserErrorNote on UserError {
    code
    field
    message
  }
`);

type UserErrors = readonly FragmentType<typeof USER_ERROR>[] | undefined;

/** The message for one input: the last name of the path is the field's. */
export const errorOf = (errors: UserErrors = [], field: string): string | undefined =>
  readFragment(USER_ERROR, errors).find((error) => error.field?.at(-1) === field)?.message;

/** Those that blame none of these fields. */
export function UserErrorsNote({
  errors = [],
  beside = [],
}: {
  errors?: UserErrors;
  beside?: readonly string[];
}) {
  const others = readFragment(USER_ERROR, errors).filter(
    ({ field }) => !beside.includes(field?.at(-1) ?? ""),
  );
  if (others.length === 0) return null;
  return (
    <p className="failure" role="alert">
      {others.map(({ message }) => message).join(" ")}
    </p>
  );
}
