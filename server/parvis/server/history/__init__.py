"""The past of documents: who wrote when and what, how they were, named versions, going back."""
