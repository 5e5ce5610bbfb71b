/** The form of signing in and signing up: fields with their errors, then the way home. */
import { type FormEvent, type InputHTMLAttributes, useEffect, useRef } from "react";
import type { FragmentType } from "../generated";
import { goTo, paths } from "../shop/route";
import { useShop } from "../shop/use-shop";
import { FailureNote } from "../ui/failure-note";
import { Field } from "../ui/field";
import { errorOf, type USER_ERROR, UserErrorsNote } from "../ui/user-errors";

interface AccountFormProps {
  action: string;
  fields: readonly (InputHTMLAttributes<HTMLInputElement> & { name: string; label: string })[];
  state: {
    errors: readonly FragmentType<typeof USER_ERROR>[] | undefined;
    loading: boolean;
    error: unknown;
  };
  /** Resolves to whether the user is signed in now. */
  onSubmit(values: Record<string, string>): Promise<boolean>;
}

export function AccountForm({ action, fields, state, onSubmit }: AccountFormProps) {
  const { errors, loading, error } = state;
  const shop = useShop();
  const form = useRef<HTMLFormElement>(null);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    if (!(await onSubmit(values))) return;
    await shop.identityChanged();
    goTo(paths.home);
  }
  useEffect(() => {
    if (errors) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [errors]);

  return (
    <form ref={form} onSubmit={(event) => void submit(event)}>
      <UserErrorsNote errors={errors} beside={fields.map(({ name }) => name)} />
      {fields.map((field) => (
        <Field key={field.name} required error={errorOf(errors, field.name)} {...field} />
      ))}
      {error !== undefined && <FailureNote error={error} />}
      <button type="submit" disabled={loading}>
        {action}
      </button>
    </form>
  );
}
