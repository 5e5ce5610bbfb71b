/** Making an account. What is in the guest's cart goes to it. */
import { useMutation } from "@apollo/client/react";
import { graphql } from "../generated";
import { paths } from "../shop/route";
import { Page } from "../ui/page";
import { AccountForm } from "./account-form";

const SIGN_UP = graphql(`
  mutation SignUp($input: SignUpInput!) {
    signUp(input: $input) {
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

export function SignUpPage() {
  const [signUp, { data, loading, error }] = useMutation(SIGN_UP, { errorPolicy: "all" });
  return (
    <Page title="Sign up">
      <AccountForm
        action="Sign up"
        fields={[
          { name: "name", label: "Name, as others see it", autoComplete: "name" },
          { name: "email", label: "E-mail", type: "email", autoComplete: "username" },
          { name: "password", label: "Password", type: "password", autoComplete: "new-password" },
        ]}
        state={{ errors: data?.signUp.errors, loading, error }}
        onSubmit={async ({ name = "", email = "", password = "" }) => {
          const answer = await signUp({ variables: { input: { name, email, password } } });
          return answer.data?.signUp.viewer != null;
        }}
      />
      <p>
        You have an account? <a href={paths.signIn}>Sign in</a>
      </p>
    </Page>
  );
}
