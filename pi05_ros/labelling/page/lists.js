// The vocabulary, the list of labels, and the line on what is selected.
import { byId, element } from "/page.js";
import { seconds } from "/tracks.js";

export function showLists(state, chosen, { select, label, seek }) {
  const span = state.labels.spans.find((one) => one.start === state.selected);
  byId("selected").textContent = span
    ? `“${span.text}”, ${seconds(span.start)} to ${seconds(span.end)}`
    : state.start === null && state.end === null
      ? "nothing: the next subtask is from the start of the episode to here"
      : state.end === null
        ? `from ${seconds(state.start)} to here`
        : `${seconds(state.start ?? 0)} to ${seconds(state.end)}`;
  byId("vocabulary").replaceChildren(
    ...state.labels.vocabulary.map((text, index) => {
      const button = element("button", "", { title: text });
      if (index < 10) button.append(element("kbd", String((index + 1) % 10)));
      button.append(element("span", text));
      button.onclick = () => label(text);
      const item = element("li");
      item.append(button);
      return item;
    }),
  );
  byId("phrases").replaceChildren(
    ...state.labels.vocabulary.map((text) => element("option", "", { value: text })),
  );
  byId("list").replaceChildren(
    ...state.labels.spans.map((one) => {
      const button = element("button", "", { "aria-selected": one === span });
      button.append(
        element("span", `${one.start.toFixed(2)} – ${one.end.toFixed(2)}`),
        element("span", one.text),
        element("small", one.source),
      );
      button.onclick = () => {
        seek(one.start);
        select(one);
      };
      const item = element("li");
      item.append(button);
      return item;
    }),
  );
  const done = state.labels.done;
  const count = state.labels.spans.length;
  byId("count").textContent = count
    ? `${count}${done.length ? `, task done at ${done.map(seconds).join(", ")}` : ""}`
    : "none yet";
}
