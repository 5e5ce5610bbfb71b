CREATE TABLE "workers" (
	"id" text PRIMARY KEY NOT NULL,
	"host" text NOT NULL,
	"pid" bigint NOT NULL,
	"started_at" timestamp (3) with time zone NOT NULL,
	"beat_at" timestamp (3) with time zone NOT NULL,
	"beat_ms" bigint NOT NULL,
	"jobs" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "operations" ADD COLUMN "result" jsonb;