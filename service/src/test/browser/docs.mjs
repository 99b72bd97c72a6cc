// Opens /docs in a real browser, submits the example with the page's own form, and expects a score.
// Usage: node docs.mjs BASE_URL SOLUTION CONFIG [SCREENSHOT]; CHROMIUM names the browser (default /usr/bin/chromium).
// Fails too when the page asks anybody but the server for anything, or complains on its console.
import { chromium } from "playwright-core";

const [base, solution, config, screenshot] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 1600 } });
  const complaints = [];
  page.on("console", (line) => line.type() === "error" && complaints.push(`console: ${line.text()}`));
  page.on("pageerror", (error) => complaints.push(`page: ${error.message}`));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== new URL(base).origin) {
      complaints.push(`asked elsewhere: ${request.url()}`);
    }
  });

  await page.goto(new URL("/docs", base).href);
  const submit = page.locator("#operations-jobs-submit");
  await submit.locator(".opblock-summary-control").click();
  const files = submit.locator("input[type=file]");
  await files.nth(0).setInputFiles(solution);
  await files.nth(1).setInputFiles(config);
  await submit.locator("button.execute").click();

  const live = submit.locator(".live-responses-table");
  await live.locator(".response-col_status", { hasText: /^200/ }).waitFor({ timeout: 60_000 });
  const body = JSON.parse(await live.locator(".response-col_description .highlight-code code, .response-col_description .microlight").first().innerText());
  if (screenshot) await page.screenshot({ path: screenshot, fullPage: true });
  if (complaints.length) throw new Error(complaints.join("\n"));
  if (body.status !== "completed") throw new Error(`the job is ${body.status}: ${JSON.stringify(body)}`);
  console.log(`docs: a submit from the page was graded, score ${JSON.parse(body.stdout).test_fitness}`);
} finally {
  await browser.close();
}
