// The journey, told by @segment/analytics-node. Arguments: the address, the key, and the story as JSON.

import { Analytics } from "@segment/analytics-node";

const [host, writeKey, told] = process.argv.slice(2);
const story = JSON.parse(told);
// A host's path would be dropped: it goes into `path`.
const analytics = new Analytics({ writeKey, host, path: "/segment/v1/batch", flushAt: story.length, flushInterval: 100 });

analytics.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});

for (const { call, timestamp, ...message } of story) {
  analytics[call]({ ...message, timestamp: new Date(timestamp) });
}
await analytics.closeAndFlush({ timeout: 30_000 });
