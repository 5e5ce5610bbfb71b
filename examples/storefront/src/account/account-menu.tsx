/** The account in the header: who is signed in, or the ways to sign in. */
import { useMutation } from "@apollo/client/react";
import { useEffect, useRef, useState } from "react";
import { graphql } from "../generated";
import { NotificationsLink } from "../notifications/notifications-link";
import { paths } from "../shop/route";
import { useShop } from "../shop/use-shop";
import { FailureNote } from "../ui/failure-note";
import { useViewer } from "./use-viewer";

const SIGN_OUT = graphql(`
  mutation SignOut {
    signOut {
      signedOut
    }
  }
`);

export function AccountMenu() {
  const { viewer, error, refetch } = useViewer();
  const signedOut = useSignedOut(viewer === undefined ? undefined : viewer !== null);
  return (
    <>
      <p className="hidden" role="status">
        {signedOut && "You are signed out."}
      </p>
      {error !== undefined && <FailureNote error={error} onRetry={refetch} />}
      {viewer && (
        <>
          <NotificationsLink key={viewer.user.id} />
          <span>{viewer.user.name}</span>
          <SignOutButton />
        </>
      )}
      {viewer === null && (
        <>
          <a href={paths.signIn}>Sign in</a>
          <a href={paths.signUp}>Sign up</a>
        </>
      )}
    </>
  );
}

/** Whether a user was signed in before, here or in another tab, and is no more. */
function useSignedOut(isSignedIn: boolean | undefined): boolean {
  const was = useRef(isSignedIn);
  const [signedOut, setSignedOut] = useState(false);
  useEffect(() => {
    if (isSignedIn === undefined) return;
    if (was.current !== isSignedIn) setSignedOut(was.current === true);
    was.current = isSignedIn;
  }, [isSignedIn]);
  return signedOut;
}

function SignOutButton() {
  const shop = useShop();
  const [signOut, { loading, error }] = useMutation(SIGN_OUT, {
    onCompleted: () => void shop.identityChanged(),
    errorPolicy: "all",
  });
  return (
    <>
      <button type="button" disabled={loading} onClick={() => void signOut()}>
        Sign out
      </button>
      {error && <FailureNote error={error} />}
    </>
  );
}
