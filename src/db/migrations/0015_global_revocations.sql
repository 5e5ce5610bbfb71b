ALTER TABLE "revoked_everybody" RENAME TO "global_revocations";--> statement-breakpoint
ALTER TABLE "audit_log" DROP CONSTRAINT "audit_log_event";--> statement-breakpoint
UPDATE "audit_log" SET "event" = 'global_revocation' WHERE "event" = 'everybody_revoked';--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_event" CHECK (event in ('signed_up', 'signed_in', 'signed_out', 'password_changed', 'session_revoked', 'other_sessions_revoked', 'all_sessions_revoked', 'global_revocation', 'sign_in_refused', 'password_change_refused', 'sign_in_limited'));