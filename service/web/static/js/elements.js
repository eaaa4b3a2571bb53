// Making elements. Text only ever becomes text: nothing here takes HTML.

export const $ = (id) => document.getElementById(id);

/** An element with properties and children; strings become text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) made.setAttribute(name, value);
    else if (name === "class") made.className = value;
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A button that says what it does, also to who cannot see it. */
export function button(text, label, onclick, properties = {}) {
  return element("button", { type: "button", "aria-label": label, title: label, onclick, ...properties }, text);
}
