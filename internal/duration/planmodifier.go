package duration

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
)

// KeepSpelling is a plan modifier that keeps the state's spelling of a lifetime where the configuration only spells
// it differently. Semantic equality does not apply while planning, so without it a RequiresReplace that follows would
// replace an invite because "168h" became "7d".
func KeepSpelling() planmodifier.String { return keepSpelling{} }

type keepSpelling struct{}

func (keepSpelling) Description(context.Context) string {
	return "Another spelling of the same lifetime is no change."
}

func (m keepSpelling) MarkdownDescription(ctx context.Context) string { return m.Description(ctx) }

func (keepSpelling) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if (Value{StringValue: req.StateValue}).SameDuration(Value{StringValue: req.PlanValue}) {
		resp.PlanValue = req.StateValue
	}
}
