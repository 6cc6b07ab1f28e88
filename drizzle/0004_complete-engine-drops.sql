ALTER TABLE "customers" DROP COLUMN "rate_started_at";--> statement-breakpoint
ALTER TABLE "customers" DROP COLUMN "rate_calls";--> statement-breakpoint
ALTER TABLE "plans" DROP COLUMN "prices";--> statement-breakpoint
ALTER TABLE "plans" DROP COLUMN "rate_limit";--> statement-breakpoint
ALTER TABLE "plans" DROP COLUMN "features";