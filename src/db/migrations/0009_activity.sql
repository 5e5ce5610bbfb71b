CREATE TABLE "user_activity" (
	"day" date NOT NULL,
	"user_id" bigint NOT NULL,
	CONSTRAINT "user_activity_day_user_id_pk" PRIMARY KEY("day","user_id")
);
--> statement-breakpoint
ALTER TABLE "user_activity" ADD CONSTRAINT "user_activity_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;