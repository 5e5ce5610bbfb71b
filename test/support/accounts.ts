/** Accounts of tests: made over HTTP like anybody's. */
import { randomUUID } from "node:crypto";
import { patiently, post } from "./graphql.js";

/** Somebody who is signed in with a token. */
export interface SignedIn {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
}

const PAYLOAD = "{ viewer { user { id name role } email } token errors { code field } }";
export const SIGN_UP = `mutation SignUp($input: SignUpInput!) { signUp(input: $input) ${PAYLOAD} }`;
export const SIGN_IN = `mutation SignIn($input: SignInInput!) { signIn(input: $input) ${PAYLOAD} }`;

/** Makes an account that nobody else has. */
export async function signUp(url: string): Promise<SignedIn> {
  let email = "";
  const password = `secret ${randomUUID()}`;
  const { data } = await patiently(() => {
    // The account of a late answer may be there.
    email = `${randomUUID()}@test.example`;
    return post(url, SIGN_UP, {
      input: { email, password, name: "Tess Tester", deliver: "TOKEN" },
    });
  });
  const { viewer, token } = data.signUp!;
  return { id: String(viewer!.user!.id), email, password, token: String(token) };
}

/** Another session of the same account. */
export async function signIn(
  url: string,
  { email, password }: Pick<SignedIn, "email" | "password">,
): Promise<string> {
  const { data } = await patiently(() =>
    post(url, SIGN_IN, { input: { email, password, deliver: "TOKEN" } }),
  );
  return String(data.signIn!.token);
}

/**
 * The address of whoever the token signs in; null for nobody, the code of the error when it is
 * refused.
 */
export async function whoIs(url: string, token: string): Promise<string | null> {
  const { data, errors } = await post(url, "{ viewer { email } }", {}, { token });
  if (errors?.[0]) return errors[0].extensions.code;
  return (data.viewer as unknown as { email: string } | null)?.email ?? null;
}
