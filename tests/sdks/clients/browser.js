// The journey, told by @segment/analytics-next in Chromium, on a page of another origin than the service.
// Arguments: Chromium's path, the service's host with the path of its API, the key, how messages are delivered
// ("standard" or "batching"), and the story as JSON. The page stays open until standard input ends.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";

const [executablePath, apiHost, writeKey, strategy, told] = process.argv.slice(2);
const bundle = join(dirname(createRequire(import.meta.url).resolve("@segment/analytics-next")), "../umd");

const shop = createServer(async (request, response) => {
  if (request.url === "/") {
    response.setHeader("Content-Type", "text/html");
    response.end('<!doctype html><title>Shop</title><script src="/index.js"></script>');
    return;
  }
  try {
    response.end(await readFile(join(bundle, request.url)));
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => shop.listen(0, "127.0.0.1", ready));

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"],
});
const page = await browser.newPage();
page.on("console", (message) => console.error(message.text()));
page.on("pageerror", (error) => console.error(error));
page.on("response", (response) => {
  if (response.url().includes(apiHost)) console.error(response.request().method(), response.url(), response.status());
});
await page.goto(`http://127.0.0.1:${shop.address().port}/`);
await page.evaluate(tell, { apiHost, writeKey, strategy, story: JSON.parse(told) });

process.stdin.resume();
process.stdin.on("end", async () => {
  await browser.close();
  shop.closeAllConnections();
  shop.close();
});

async function tell({ apiHost, writeKey, strategy, story }) {
  const deliveryStrategy = { strategy, config: strategy === "batching" ? { size: story.length, timeout: 200 } : {} };
  const settings = { apiKey: writeKey, apiHost, protocol: "http", deliveryStrategy };
  const [analytics] = await window.AnalyticsNext.AnalyticsBrowser.load(
    { writeKey, cdnSettings: { integrations: { "Segment.io": settings } } },
    { integrations: { "Segment.io": settings } },
  );
  const calls = {
    async identify({ userId, traits }, options) {
      await analytics.reset(); // somebody else sits down at the browser
      await analytics.identify(userId, traits, options);
    },
    track: ({ event, properties }, options) => analytics.track(event, properties, options),
    alias: ({ userId, previousId }, options) => analytics.alias(userId, previousId, options),
  };
  for (const { call, timestamp, anonymousId, ...message } of story) {
    await calls[call](message, { timestamp, ...(anonymousId && { anonymousId }) });
  }
}
