/** Signing in. The session is in a cookie that scripts cannot read. */
import { useMutation } from "@apollo/client/react";
import { graphql } from "../generated";
import { paths } from "../shop/route";
import { Page } from "../ui/page";
import { AccountForm } from "./account-form";

const SIGN_IN = graphql(`
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      viewer {
        user {
          id
        }
      }
      errors {
        ...UserErrorNote
      }
    }
  }
`);

export function SignInPage() {
  const [signIn, { data, loading, error }] = useMutation(SIGN_IN, { errorPolicy: "all" });
  return (
    <Page title="Sign in">
      <AccountForm
        action="Sign in"
        fields={[
          { name: "email", label: "E-mail", type: "email", autoComplete: "username" },
          {
            name: "password",
            label: "Password",
            type: "password",
            autoComplete: "current-password",
          },
        ]}
        state={{ errors: data?.signIn.errors, loading, error }}
        onSubmit={async ({ email = "", password = "" }) => {
          const answer = await signIn({ variables: { input: { email, password } } });
          return answer.data?.signIn.viewer != null;
        }}
      />
      <p>
        No account yet? <a href={paths.signUp}>Sign up</a>
      </p>
    </Page>
  );
}
