import type { Model } from "../../functions/api/contract/models.ts";
import { Icon, type IconName } from "../shell/icons.tsx";

const words: Record<Model["status"], { word: string; icon: IconName; tone: string }> = {
  champion: { word: "Champion", icon: "ok", tone: "ok" },
  challenger: { word: "Challenger", icon: "up", tone: "challenger" },
  retired: { word: "Retired", icon: "waiting", tone: "waiting" },
};

export function ModelStatusText({ status }: { status: Model["status"] }) {
  const { word, icon, tone } = words[status];
  return (
    <span class={`status status-${tone}`}>
      <Icon name={icon} />
      {word}
    </span>
  );
}
