"use strict";
const $ = (id) => document.getElementById(id);

// An element with properties, attributes (names with a dash, or role) and children. Texts are never read as HTML.
function make(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name in node && !name.includes("-")) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

function tell(problem) {
  $("error").hidden = !problem;
  $("error").textContent = problem || "";
}

class Refused extends Error {}

async function ask(route, body) {
  const headers = { "Content-Type": "application/json" };
  const token = sessionStorage.getItem("token");
  if (token) headers.Authorization = `Bearer ${token}`;
  let answer;
  try {
    answer = await fetch(route, body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) });
  } catch {
    throw new Refused("The server does not answer. Is it still running?");
  }
  const found = await answer.json().catch(() => null);
  if (answer.status === 401) $("token-form").hidden = false;
  if (!answer.ok) throw new Refused(found?.error?.sentence || `The server answered with status ${answer.status}.`);
  return found;
}

// Runs a task, dims what it replaces meanwhile, and tells what went wrong.
async function doing(place, work) {
  place?.setAttribute("aria-busy", "true");
  try {
    tell("");
    return await work();
  } catch (problem) {
    // A mistake of the page itself is told too: nobody looks for it in the console.
    if (!(problem instanceof Refused)) console.error(problem);
    tell(problem instanceof Refused ? problem.message : `This page went wrong: ${problem.message}`);
  } finally {
    place?.removeAttribute("aria-busy");
  }
}

const number = (value) => Number(value.toPrecision(3)).toLocaleString("en");
const percent = (value) => `${(100 * value).toFixed(1)} %`;

function meter(share, best = true) {
  const bar = make("i");
  bar.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return make("div", { className: best ? "meter best" : "meter", "aria-hidden": "true" }, bar);
}

// A value and its interval, with as many digits behind the point as the largest of them needs.
function measured({ value, low, high }) {
  const most = Math.max(...[value, low, high].map((one) => Math.abs(one ?? 0)));
  const [shown, from, to] = [value, low, high].map((one) => one?.toFixed(most < 10 ? 3 : most < 100 ? 2 : 1));
  return from === undefined || to === undefined ? shown : `${shown} [${from}, ${to}]`;
}

function head(about) {
  const score = about.score;
  const shown = score?.value != null && `; ${score.metric.replaceAll("_", " ")} ${measured(score)} ${score.on}`;
  document.title = `${about.name} – headwater`;
  $("task").textContent = about.task.replaceAll("-", " ");
  $("name").textContent = about.name;
  $("lead").textContent = `${about.question} Answered by ${about.model}${shown || ""}.`;
}

async function begin(show) {
  await doing(null, async () => {
    const about = await ask("about");
    $("token-form").hidden = true;
    head(about);
    $("main").replaceChildren();
    show(about);
  });
}

function start(show) {
  $("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem("token", $("token").value);
    begin(show);
  });
  begin(show);
}
