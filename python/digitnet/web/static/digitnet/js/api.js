// Asking the server. Every answer is JSON; what is refused is an ApiError with the server's own words.

const root = document.documentElement.dataset.root;

/** An address of the app: url("api/runs") wherever the app is mounted. */
export const url = (path) => root + path;

/** What the server refused, or that it did not answer. */
export class ApiError extends Error {
  constructor(status, { code = "failed", message = "The server did not answer.", field = null, fields = null } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.field = field;
    this.fields = fields; // of a form: what is wrong with each
  }
}

const cookie = (name) =>
  document.cookie
    .split("; ")
    .find((each) => each.startsWith(`${name}=`))
    ?.slice(name.length + 1) ?? "";

/**
 * Asks and gives what was answered.
 * @param {string} path  below the app, such as "api/recognize"
 * @param {{method?: string, body?: object|FormData, signal?: AbortSignal}} options  a body makes it a POST
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function ask(path, { method, body, signal } = {}) {
  const isForm = body instanceof FormData;
  const headers = { Accept: "application/json" };
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  const verb = method ?? (body === undefined ? "GET" : "POST");
  if (verb !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");
  let response;
  try {
    response = await fetch(url(path), { method: verb, headers, signal, body: isForm ? body : body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0);
  }
  const isJson = response.headers.get("Content-Type")?.includes("json");
  const answer = isJson ? await response.json() : null;
  if (!response.ok) throw new ApiError(response.status, answer?.error ?? { message: `The server answered ${response.status}.` });
  return answer;
}
