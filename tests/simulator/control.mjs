// The control API under /__sim/: sets faults and reads the log from another process.

export const CONTROL_PREFIX = "/__sim/";

/** → {status, value}; `value` is sent as JSON. */
export function control({ method, pathname, body }, { rules, log }) {
  switch (`${method} ${pathname.slice(CONTROL_PREFIX.length)}`) {
    case "POST faults":
      return addRule(body, rules);
    case "DELETE faults":
      rules.clear();
      return ok();
    case "GET log":
      return ok({ entries: log.entries });
    case "DELETE log":
      log.clear();
      return ok();
    case "POST reset":
      rules.clear();
      log.clear();
      return ok();
    default:
      return { status: 404, value: { error: `nothing at ${method} ${pathname}` } };
  }
}

const ok = (value = { ok: true }) => ({ status: 200, value });

function addRule(body, rules) {
  try {
    rules.add(JSON.parse(body));
    return ok();
  } catch (error) {
    return { status: 400, value: { error: error.message } };
  }
}
