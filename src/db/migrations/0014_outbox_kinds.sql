UPDATE "outbox" SET "keys" = '{}' WHERE "keys" IS NULL;--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "keys" SET DEFAULT '{}';--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "keys" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "kind" text;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "payload" jsonb;--> statement-breakpoint
INSERT INTO "outbox" ("kind", "keys", "payload", "tags", "events", "created_at", "attempts", "next_attempt_at", "last_error", "set_aside_at", "closed_at")
	SELECT 'revocation', "keys", jsonb_build_object('revocations', "revocations"), '{}', '[]', "created_at", "attempts", "next_attempt_at", "last_error", "set_aside_at", "closed_at"
	FROM "outbox" WHERE "kind" IS NULL AND "revocations" <> '[]' ORDER BY "id";--> statement-breakpoint
INSERT INTO "outbox" ("kind", "keys", "payload", "tags", "events", "created_at", "attempts", "next_attempt_at", "last_error", "set_aside_at", "closed_at")
	SELECT 'score', "keys", jsonb_build_object('scores', "scores"), '{}', '[]', "created_at", "attempts", "next_attempt_at", "last_error", "set_aside_at", "closed_at"
	FROM "outbox" WHERE "kind" IS NULL AND "scores" <> '[]' ORDER BY "id";--> statement-breakpoint
INSERT INTO "outbox" ("kind", "keys", "payload", "tags", "events", "created_at", "attempts", "next_attempt_at", "last_error", "set_aside_at", "closed_at")
	SELECT 'notification', "keys", jsonb_build_object('notifications', "notifications"), '{}', '[]', "created_at", "attempts", "next_attempt_at", "last_error", "set_aside_at", "closed_at"
	FROM "outbox" WHERE "kind" IS NULL AND "notifications" <> '[]' ORDER BY "id";--> statement-breakpoint
UPDATE "outbox" SET "kind" = 'change', "payload" = jsonb_build_object('tags', to_jsonb("tags"), 'events', "events") WHERE "kind" IS NULL;--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "kind" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" ALTER COLUMN "payload" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" DROP COLUMN "revocations";--> statement-breakpoint
ALTER TABLE "outbox" DROP COLUMN "scores";--> statement-breakpoint
ALTER TABLE "outbox" DROP COLUMN "tags";--> statement-breakpoint
ALTER TABLE "outbox" DROP COLUMN "events";--> statement-breakpoint
ALTER TABLE "outbox" DROP COLUMN "notifications";