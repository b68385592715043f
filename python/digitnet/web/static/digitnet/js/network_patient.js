// Waiting for what takes the server some seconds the first time: it answers {"is_pending": true} until it is there.
import { ask } from "./api.js";

const TRIES = 60;

/**
 * Asks until there is an answer.
 * @param {string} path
 * @param {() => boolean} isWanted  whether it is still worth asking
 * @returns {Promise<object|null>}  null if it is not, or took too long
 */
export async function patient(path, isWanted) {
  for (let tries = 0; tries < TRIES && isWanted(); tries++) {
    const answer = await ask(path);
    if (!answer.is_pending) return answer;
  }
  return null;
}
