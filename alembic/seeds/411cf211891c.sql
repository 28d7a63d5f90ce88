-- Subscriptions from before the trigger of cc72f4412d20, whose price_cents nobody has filled yet.
ALTER TABLE subscriptions DISABLE TRIGGER subscriptions_sync_price;
UPDATE subscriptions SET price_cents = NULL;
ALTER TABLE subscriptions ENABLE TRIGGER subscriptions_sync_price;
