/**
 * Signing up, in and out. Services authenticate; resolvers hand
 * the session over.
 */
import { Arg, Ctx, Extensions, Mutation, Resolver } from "type-graphql";
import { BadUserInput, userError } from "../../domain/errors.js";
import {
  ChangePasswordInput,
  ChangePasswordPayload,
  SignInInput,
  SignInPayload,
  SignOutPayload,
  SignUpInput,
} from "../../schema/account/account.js";
import { Price } from "../../schema/price.js";
import type { Accounts, SignInOutcome } from "../../services/account/accounts.js";
import type { Revocations } from "../../services/account/revocations.js";
import type { Carts } from "../../services/cart/carts.js";
import { shopperOf } from "../cart.js";
import { originOf, type RequestContext } from "../context.js";
import { toViewer } from "./viewer.js";

/** Passwords are slow to check by design. */
const HASHES = 40;

/** The mutations of accounts. */
@Resolver()
export class AccountMutations {
  constructor(
    private readonly accounts: Accounts,
    private readonly revocations: Pick<Revocations, "signOut">,
    private readonly carts: Pick<Carts, "adopt">,
  ) {}

  @Extensions({ operationClass: "signIn" })
  @Price(HASHES)
  @Mutation(() => SignInPayload, {
    description:
      "Makes an account for a customer and signs it in; what is in the cart of the guest who " +
      "asks goes to the account. Not to be repeated blindly: the second time the address is " +
      "TAKEN. RATE_LIMITED after too many from one address.",
  })
  async signUp(
    @Arg("input", () => SignUpInput, { description: "The account that is to be." }) {
      email,
      password,
      name,
      deliver,
    }: SignUpInput,
    @Ctx() ctx: RequestContext,
  ): Promise<SignInPayload> {
    if (losesCookie(ctx, deliver)) return COOKIE_LOST;
    const { origin, handOver } = this.delivery(ctx, deliver === "TOKEN");
    return handOver(await this.accounts.signUp({ email, password, name }, origin));
  }

  @Extensions({ operationClass: "signIn" })
  @Price(HASHES)
  @Mutation(() => SignInPayload, {
    description:
      "Signs somebody in with a new session; at most ten are kept, the oldest goes. What is " +
      "in the cart of the guest who asks is added to the account's, once; a client that " +
      "keeps the token of the guest itself drops it now. A session that the same cookie held " +
      "before is ended. The answer is the same for a wrong password and an address without " +
      "account: BAD_CREDENTIALS, and after too many of them RATE_LIMITED with `retryAfterMs`.",
  })
  async signIn(
    @Arg("input", () => SignInInput, { description: "Who it is." }) {
      email,
      password,
      deliver,
    }: SignInInput,
    @Ctx() ctx: RequestContext,
  ): Promise<SignInPayload> {
    if (losesCookie(ctx, deliver)) return COOKIE_LOST;
    const { origin, handOver } = this.delivery(ctx, deliver === "TOKEN");
    return handOver(await this.accounts.signIn({ email, password }, origin));
  }

  @Mutation(() => SignOutPayload, {
    description:
      "Ends the session that asks and takes its cookie away, and that of the guest it was " +
      "before. Safe to repeat.",
  })
  async signOut(@Ctx() ctx: RequestContext): Promise<SignOutPayload> {
    const signedOut = await this.revocations.signOut(ctx.principal, originOf(ctx));
    ctx.keepSession(null);
    ctx.forgetGuest();
    return { signedOut, errors: [] };
  }

  @Extensions({ operationClass: "signIn" })
  @Price(2 * HASHES)
  @Mutation(() => ChangePasswordPayload, {
    description:
      "Changes the caller's password and ends every session of the account. The one that " +
      "asks goes on under a new token, handed over as the old one was: in its cookie, or as " +
      "`token`. Over HTTP only, otherwise BAD_USER_INPUT: a socket ends with its session. " +
      "Signed in only, otherwise UNAUTHENTICATED. A wrong password counts like a failed " +
      "sign-in.",
  })
  async changePassword(
    @Arg("input", () => ChangePasswordInput, {
      description: "The password as it is and as it is to be.",
    })
    { currentPassword, newPassword }: ChangePasswordInput,
    @Ctx() ctx: RequestContext,
  ): Promise<ChangePasswordPayload> {
    if (!ctx.client.takesCookies)
      throw new BadUserInput("A WebSocket ends with its session: change the password over HTTP.");
    const { handOver } = this.delivery(ctx, !ctx.client.showsCookie);
    const change = { current: currentPassword, next: newPassword };
    return handOver(await this.accounts.changePassword(ctx.principal, change, originOf(ctx)));
  }

  /**
   * How a session is handed over. Refuses undeliverable ones
   * before anything is done. A cookie holds the only copy of the
   * token, and its former session is replaced.
   */
  private delivery(ctx: RequestContext, asToken: boolean) {
    const { client, principal, keepSession } = ctx;
    if (!asToken && !client.takesCookies) {
      throw new BadUserInput(
        "A WebSocket cannot set cookies: sign in over HTTP, or with deliver: TOKEN.",
        ["input", "deliver"],
      );
    }
    const replaced =
      !asToken && client.showsCookie && principal.kind === "user" ? { replaces: principal } : {};
    const handOver = async ({ errors, user, opened }: SignInOutcome): Promise<SignInPayload> => {
      if (!opened) return { viewer: null, token: null, errors };
      await this.carts.adopt(shopperOf(ctx), user.id);
      if (!asToken) keepSession(opened.token);
      return {
        viewer: toViewer(user, opened.principal),
        token: asToken ? opened.token : null,
        errors,
      };
    };
    return { origin: { ...originOf(ctx), ...replaced }, handOver };
  }
}

/** Whether the browser would drop the session's cookie. */
const losesCookie = ({ client }: RequestContext, deliver: SignInInput["deliver"]): boolean =>
  deliver !== "TOKEN" && client.isCrossSite;

const COOKIE_LOST: SignInPayload = {
  viewer: null,
  token: null,
  errors: [
    userError(
      "INVALID",
      ["input", "deliver"],
      "The browser would drop this session's cookie, because the page is of another site than " +
        "this server: use deliver: TOKEN, or the same host name for both (localhost and " +
        "127.0.0.1 are different sites).",
    ),
  ],
};
