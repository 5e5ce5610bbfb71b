CREATE TABLE "counter_shards" (
	"shard" integer PRIMARY KEY NOT NULL,
	"applied" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "likes" (
	"product_id" bigint NOT NULL,
	"user_id" bigint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "likes_product_id_user_id_pk" PRIMARY KEY("product_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "popularity_due" (
	"product_id" bigint PRIMARY KEY NOT NULL
);
--> statement-breakpoint
CREATE TABLE "product_likes" (
	"product_id" bigint PRIMARY KEY NOT NULL,
	"likes" bigint NOT NULL,
	CONSTRAINT "product_likes_range" CHECK (likes >= 0)
);
--> statement-breakpoint
CREATE TABLE "product_tallies" (
	"product_id" bigint NOT NULL,
	"period" text NOT NULL,
	"views" bigint DEFAULT 0 NOT NULL,
	"shares" bigint DEFAULT 0 NOT NULL,
	"viewers" bigint DEFAULT 0 NOT NULL,
	"is_over" boolean DEFAULT false NOT NULL,
	"sketch" "bytea",
	"few" jsonb DEFAULT '[]'::jsonb NOT NULL,
	CONSTRAINT "product_tallies_product_id_period_pk" PRIMARY KEY("product_id","period"),
	CONSTRAINT "product_tallies_range" CHECK (views between 0 and 9007199254740991 and shares between 0 and 9007199254740991)
);
--> statement-breakpoint
DROP INDEX "products_all_popular";--> statement-breakpoint
DROP INDEX "products_category_popular";--> statement-breakpoint
DROP INDEX "products_brand_popular";--> statement-breakpoint
DROP INDEX "products_brand_category_popular";--> statement-breakpoint
ALTER TABLE "products" ADD COLUMN "popularity" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "likes" ADD CONSTRAINT "likes_product_id_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "likes" ADD CONSTRAINT "likes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "popularity_due" ADD CONSTRAINT "popularity_due_product_id_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "product_likes" ADD CONSTRAINT "product_likes_product_id_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "product_tallies" ADD CONSTRAINT "product_tallies_product_id_products_id_fk" FOREIGN KEY ("product_id") REFERENCES "public"."products"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "likes_product_created_at" ON "likes" USING btree ("product_id","created_at");--> statement-breakpoint
CREATE INDEX "product_tallies_period" ON "product_tallies" USING btree ("period");--> statement-breakpoint
CREATE INDEX "products_all_popular" ON "products" USING btree (popularity,id) WHERE removed_at is null;--> statement-breakpoint
CREATE INDEX "products_category_popular" ON "products" USING btree (category_id,popularity,id) WHERE removed_at is null;--> statement-breakpoint
CREATE INDEX "products_brand_popular" ON "products" USING btree (brand_id,popularity,id) WHERE removed_at is null;--> statement-breakpoint
CREATE INDEX "products_brand_category_popular" ON "products" USING btree (brand_id,category_id,popularity,id) WHERE removed_at is null;