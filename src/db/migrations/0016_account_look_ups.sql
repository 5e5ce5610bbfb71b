CREATE INDEX "audit_log_event" ON "audit_log" USING btree ("event","id");--> statement-breakpoint
CREATE INDEX "audit_log_user_event" ON "audit_log" USING btree ("user_id","event","id");--> statement-breakpoint
CREATE INDEX "users_email_prefix" ON "users" USING btree ("email" text_pattern_ops);--> statement-breakpoint
CREATE INDEX "users_words" ON "users" USING gin ((to_tsvector('simple'::regconfig, regexp_replace(name, '[!-/:-@\[-`{-~]+', ' ', 'g')))) WITH (fastupdate=false);