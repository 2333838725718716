// A small HTTP/1.1 service without any package. SIGTERM lets requests in flight finish.
"use strict";

const http = require("node:http");
const fs = require("node:fs");
const path = require("node:path");

const settings = JSON.parse(fs.readFileSync(path.join(__dirname, "settings.json"), "utf8"));
const version = process.env.PILOTAGE_VERSION ?? "";
let stopping = false;

const server = http.createServer((request, response) => {
  request.resume(); // a body is read and dropped
  request.on("end", () => {
    const [status, text] = answer(request.url);
    const headers = { "Content-Type": "text/plain; charset=utf-8" };
    if (stopping) headers.Connection = "close";
    response.writeHead(status, headers).end(`${text}\n`);
  });
});

function answer(url) {
  if (url === "/health") return [200, "well"];
  if (url !== "/") return [404, "there is nothing here"];
  if (Math.random() < settings.failures) return [500, "this one went wrong"];
  return [200, `${settings.greeting} from Node ${version}`];
}

// Longer than the edge keeps an idle connection, so that it is never closed under a request on its way.
server.keepAliveTimeout = 120_000;

process.on("SIGTERM", () => {
  stopping = true;
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

server.listen(Number(process.env.PORT), "127.0.0.1", () => {
  console.log(`listening on 127.0.0.1:${server.address().port}`);
});
