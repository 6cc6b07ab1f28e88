ALTER TABLE "top_up_requests" ADD COLUMN "payment_id" text;--> statement-breakpoint
ALTER TABLE "billing_accounts" DROP COLUMN "open_checkout_id";