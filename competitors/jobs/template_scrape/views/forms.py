"""What a template is filed under, and the form that adds one by hand."""

from typing import Any

from django import forms

from competitors.models import TemplateCandidate


class TemplateForm(forms.ModelForm):
    """`version` is what the person saw: the decision is refused if somebody was quicker."""

    class Meta:
        model = TemplateCandidate
        fields = list(TemplateCandidate.FILED)
        widgets = {"awareness": forms.RadioSelect}

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if "version" in self.fields:
            self.fields["version"].initial = self.instance.version
        if self.instance.status == TemplateCandidate.Status.PENDING and self.instance.pk and not self.instance.name:
            self.initial["name"] = self.instance.title
        self.fields["category"].empty_label = self.fields["niche"].empty_label = "Choose…"  # type: ignore[attr-defined]
        self.fields["target_sex"].choices = [("", "Choose…"), *TemplateCandidate.Sex.choices]  # type: ignore[attr-defined]
        awareness: Any = self.fields["awareness"]
        awareness.label = "Awareness: what the viewer already knows"
        awareness.choices = TemplateCandidate.Awareness.choices

    def filed(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in TemplateCandidate.FILED}


class UploadForm(TemplateForm):
    """A picture or video from somebody's own machine."""

    version = None  # type: ignore[assignment]
    file = forms.FileField(label="Picture or video", help_text="JPEG, PNG, WebP, GIF, MP4, QuickTime or WebM.")
    approve = forms.BooleanField(required=False, label="Approve at once", help_text="Otherwise it waits on the tab Pending.")

    field_order = ("file", *TemplateCandidate.FILED, "approve")
